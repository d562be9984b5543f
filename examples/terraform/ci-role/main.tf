# A role that the jobs of one GitHub repository assume by OIDC to read keys below one path of Parameter Store, a KMS key
# for these keys, and GitHub's OIDC provider. The same as examples/cloudformation/ci-role.yml.
terraform {
  required_version = ">= 1.5"
  required_providers {
    # The first version that needs no thumbprint and names the Region of a data source "region".
    aws = { source = "hashicorp/aws", version = ">= 6.0" }
  }
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix
  region     = data.aws_region.current.region
  account    = data.aws_caller_identity.current.account_id
  key_arn    = aws_kms_key.keys.arn
}

resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_provider ? 1 : 0
  # AWS verifies GitHub's certificate with its own list of authorities, so there is no thumbprint.
  url            = "https://${local.issuer}"
  client_id_list = [local.audience]
}

resource "aws_iam_role" "ci" {
  description        = "Jobs of ${var.owner}/${var.repository} (${var.job}) read keys"
  assume_role_policy = local.trust_policy
}

resource "aws_iam_role_policy" "read_keys" {
  name   = "read-keys"
  role   = aws_iam_role.ci.id
  policy = local.read_keys
}

resource "aws_kms_key" "keys" {
  description             = "Encrypts the parameters below ${var.parameter_path}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = local.key_policy
}

resource "aws_kms_alias" "keys" {
  name          = var.key_alias
  target_key_id = aws_kms_key.keys.key_id
}

output "role_arn" {
  description = "role-to-assume of the action"
  value       = aws_iam_role.ci.arn
}

output "key_arn" {
  description = "key_arn of instance-profile"
  value       = aws_kms_key.keys.arn
}

output "key_alias" {
  description = "aws ssm put-parameter --key-id"
  value       = aws_kms_alias.keys.name
}
