Kind = "proxy-defaults"

AccessLogs { Enabled = true, TextFormat = "%START_TIME% %RESPONSE_CODE%\n" }
