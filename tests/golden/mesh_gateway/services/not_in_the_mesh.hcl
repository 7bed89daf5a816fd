service {
  name = "printer"
  port = 631
}
