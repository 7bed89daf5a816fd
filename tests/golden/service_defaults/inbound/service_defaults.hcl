Kind                      = "service-defaults"
Name                      = "client"
Protocol                  = "http"
MaxInboundConnections     = 100
MaxRequestHeadersKB       = 96
BalanceInboundConnections = "exact_balance"
LocalConnectTimeoutMs     = 1000
LocalRequestTimeoutMs     = 3000
