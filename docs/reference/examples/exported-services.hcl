Kind = "exported-services"
Name = "default"
Meta = { owner = "platform" }

Services = [
  { Name = "web", Consumers = [{ Peer = "east" }, { Partition = "default" }] },
  { Name = "*", Consumers = [{ Peer = "west" }] },
]
