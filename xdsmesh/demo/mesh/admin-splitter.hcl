Kind = "service-splitter"
Name = "admin"
Splits = [
  {
    Weight = 10
    ServiceSubset = "v2"
  },
  {
    Weight = 90
    ServiceSubset = "v1"
  },
]
