"""Bytes with revisions. Every store keeps the contract in ``base``; one suite tests them all."""
