service {
  name    = "db"
  id      = "db-heavy"
  address = "127.0.2.9"
  port    = 5432
  connect {
    sidecar_service {
      weights { passing = 300 }
    }
  }
}

service {
  name    = "db"
  id      = "db-plain"
  address = "127.0.2.1"
  port    = 5432
  connect { sidecar_service {} }
}

service {
  name    = "db"
  id      = "db-warning"
  address = "127.0.2.2"
  port    = 5432
  check {
    name   = "disk"
    status = "warning"
  }
  connect {
    sidecar_service {
      weights { passing = 7, warning = 3 }
    }
  }
}

service {
  name    = "db"
  id      = "db-out-while-warning"
  address = "127.0.2.3"
  port    = 5432
  check {
    name   = "disk"
    status = "warning"
  }
  connect {
    sidecar_service {
      weights { passing = 7, warning = 0 }
    }
  }
}

service {
  name    = "db"
  id      = "db-critical"
  address = "127.0.2.4"
  port    = 5432
  check {
    name   = "disk"
    status = "critical"
  }
  connect {
    sidecar_service {
      weights { passing = 7 }
    }
  }
}
