Kind = "service-resolver"
Name = "api"

LoadBalancer { Policy = "least_request", LeastRequestConfig = { ChoiceCount = 5 } }
