Kind = "proxy-defaults"
Name = "global"
AccessLogs {
  Enabled = true
  JSONFormat = "{\"at\": \"%START_TIME%\", \"decision\": \"%DYNAMIC_METADATA(envoy.filters.http.rbac:shadow_effective_policy_id)%\"}"
}
