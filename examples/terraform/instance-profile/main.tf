# An instance profile for EC2 hosts and self-hosted runners that read keys below one path of Parameter Store. The same as
# examples/cloudformation/instance-profile.yml.
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
}

resource "aws_iam_role" "host" {
  description        = "EC2 instances read keys below ${var.parameter_path}"
  assume_role_policy = local.trust_policy
}

resource "aws_iam_role_policy" "read_keys" {
  name   = "read-keys"
  role   = aws_iam_role.host.id
  policy = local.read_keys
}

resource "aws_iam_role_policy_attachment" "managed" {
  for_each   = toset(local.managed_policies)
  role       = aws_iam_role.host.name
  policy_arn = each.value
}

resource "aws_iam_instance_profile" "host" {
  role = aws_iam_role.host.name
}

output "instance_profile_name" {
  description = "iam_instance_profile of aws_instance"
  value       = aws_iam_instance_profile.host.name
}

output "instance_profile_arn" {
  description = "The iam_instance_profile of aws_launch_template"
  value       = aws_iam_instance_profile.host.arn
}

output "role_arn" {
  description = "For policies in other accounts that trust the instances"
  value       = aws_iam_role.host.arn
}
