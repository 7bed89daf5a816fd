Kind = "proxy-defaults"
Name = "global"
AccessLogs {
  Enabled = true
  Type = "file"
  Path = "/dev/null"
  TextFormat = "%START_TIME% %DOWNSTREAM_PEER_URI_SAN%"
  DisableListenerLogs = true
}
