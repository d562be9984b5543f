# An asymmetric KMS key that one role signs with and nobody can read, its alias, and the permission of the role: a key
# for kms: in keys, or an authority for ca=. The same as examples/cloudformation/kms-key.yml.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 6.0" }
  }
}

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  key_arn   = aws_kms_key.key.arn
}

resource "aws_kms_key" "key" {
  description              = "Signs logins of ${var.role_name}"
  customer_master_key_spec = var.key_spec
  key_usage                = "SIGN_VERIFY"
  deletion_window_in_days  = 30
  policy                   = local.key_policy
}

resource "aws_kms_alias" "key" {
  name          = var.key_alias
  target_key_id = aws_kms_key.key.key_id
}

resource "aws_iam_role_policy" "sign" {
  # Each key of the role has a policy of its own.
  name   = "sign-${aws_kms_key.key.key_id}"
  role   = var.role_name
  policy = local.sign
}

output "key_arn" {
  description = "A reference for keys that does not change if the alias moves"
  value       = aws_kms_key.key.arn
}

output "reference" {
  description = "What to write in keys"
  value       = "kms:${aws_kms_alias.key.name}"
}
