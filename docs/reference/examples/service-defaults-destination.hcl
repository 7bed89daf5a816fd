Kind = "service-defaults"
Name = "billing"

Protocol    = "tcp"
Destination = { Addresses = ["billing.example.com", "192.0.2.7"], Port = 443 }
