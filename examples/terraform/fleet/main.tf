# Installs ssm-ssh on every instance with one tag, sets it up for git, and updates it. The same as
# examples/cloudformation/fleet.yml, whose document is document.yml here.
terraform {
  required_version = ">= 1.5"
  required_providers {
    # The first version that needs no thumbprint and names the Region of a data source "region".
    aws = { source = "hashicorp/aws", version = ">= 6.0" }
  }
}

resource "aws_ssm_document" "fleet" {
  name            = "ssm-ssh-fleet"
  document_type   = "Command"
  document_format = "YAML"
  target_type     = "/AWS::EC2::Instance"
  content         = file("${path.module}/document.yml")
}

resource "aws_ssm_association" "fleet" {
  association_name    = "ssm-ssh-fleet"
  name                = aws_ssm_document.fleet.name
  schedule_expression = var.schedule
  # A version that fails on the first instances does not reach the others.
  max_concurrency = "10%"
  max_errors      = "10%"

  targets {
    key    = "tag:${var.tag_key}"
    values = [var.tag_value]
  }

  parameters = {
    Version    = var.release
    Sha256     = var.sha256
    Keys       = var.keys
    KeyRegion  = var.key_region
    ReleaseUrl = var.release_url
  }
}

output "document_name" {
  description = "The Systems Manager document"
  value       = aws_ssm_document.fleet.name
}

output "association_id" {
  description = "The State Manager association: aws ssm describe-association-executions --association-id …"
  value       = aws_ssm_association.fleet.association_id
}
