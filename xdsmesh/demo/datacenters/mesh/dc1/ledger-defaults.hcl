Kind     = "service-defaults"
Name     = "ledger"
Protocol = "tcp"
