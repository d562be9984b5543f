# Interface endpoints, so that instances without a way to the internet read keys and are reached by Session Manager. The
# same as examples/cloudformation/vpc-endpoints.yml.
terraform {
  required_version = ">= 1.5"
  required_providers {
    # The first version that needs no thumbprint and names the Region of a data source "region".
    aws = { source = "hashicorp/aws", version = ">= 6.0" }
  }
}

data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  region  = data.aws_region.current.region
  account = data.aws_caller_identity.current.account_id
}

# Endpoints open no connections, so there is no rule for what leaves them.
resource "aws_security_group" "endpoints" {
  description = "HTTPS to the interface endpoints"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  description                  = "HTTPS from the instances"
  security_group_id            = aws_security_group.endpoints.id
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = var.services
  service_name        = "com.amazonaws.${local.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  vpc_id              = var.vpc_id
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints.id]
  policy              = contains(local.with_policy, each.value) ? local.endpoint_policy : null
}

output "security_group_id" {
  description = "The security group of the endpoints"
  value       = aws_security_group.endpoints.id
}
