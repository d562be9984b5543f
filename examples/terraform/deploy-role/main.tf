# A role that the jobs of one GitHub repository assume by OIDC to reach EC2 instances with one tag, as one user, through
# Session Manager and EC2 Instance Connect. GitHub's OIDC provider has to be there: ci-role makes it. The same as
# examples/cloudformation/deploy-role.yml.
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
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  account   = data.aws_caller_identity.current.account_id
}

resource "aws_iam_role" "deploy" {
  description        = "Jobs of ${var.owner}/${var.repository} (${var.job}) reach EC2 instances as ${var.os_user}"
  assume_role_policy = local.trust_policy
}

resource "aws_iam_role_policy" "reach_hosts" {
  name   = "reach-hosts"
  role   = aws_iam_role.deploy.id
  policy = local.reach_hosts
}

output "role_arn" {
  description = "role-to-assume of the action"
  value       = aws_iam_role.deploy.arn
}
