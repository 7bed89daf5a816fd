"""The demo of datacenters: who may call whom through mesh gateways, and what a spy between them sees."""
