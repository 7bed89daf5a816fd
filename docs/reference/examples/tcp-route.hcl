Kind = "tcp-route"
Name = "database"
Meta = { owner = "data" }

Parents  = [{ Kind = "api-gateway", Name = "edge", SectionName = "database" }]
Services = [{ Name = "database" }]
