Kind = "mesh"
HTTP {
  Incoming {
    RequestNormalization {
      InsecureDisablePathNormalization = true
      MergeSlashes                     = true
      PathWithEscapedSlashesAction     = "KEEP_UNCHANGED"
      HeadersWithUnderscoresAction     = "REJECT_REQUEST"
    }
  }
}
