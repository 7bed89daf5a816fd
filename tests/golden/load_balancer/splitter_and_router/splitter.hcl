Kind = "service-splitter"
Name = "web"
Splits = [
  {
    Weight = 75
  },
  {
    Weight  = 25
    Service = "api"
  },
]
