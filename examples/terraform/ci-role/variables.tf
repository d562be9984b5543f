variable "owner" {
  type        = string
  description = "The repository's owner on GitHub: acme of acme/app"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]+$", var.owner))
    error_message = "owner has to match ^[A-Za-z0-9_-]+$"
  }
}

variable "owner_id" {
  type        = string
  description = "The owner's id: gh api repos/acme/app --jq .owner.id"

  validation {
    condition     = can(regex("^[0-9]+$", var.owner_id))
    error_message = "owner_id has to match ^[0-9]+$"
  }
}

variable "repository" {
  type        = string
  description = "The repository's name on GitHub: app of acme/app"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository has to match ^[A-Za-z0-9._-]+$"
  }
}

variable "repository_id" {
  type        = string
  description = "The repository's id: gh api repos/acme/app --jq .id"

  validation {
    condition     = can(regex("^[0-9]+$", var.repository_id))
    error_message = "repository_id has to match ^[0-9]+$"
  }
}

variable "job" {
  type        = string
  description = "What the job runs for, the end of its token's sub: ref:refs/heads/main, environment:production or pull_request"
  default     = "ref:refs/heads/main"

  validation {
    condition     = can(regex("^(ref:refs/(heads|tags)/[A-Za-z0-9 ._/%@+-]+|environment:[A-Za-z0-9 ._/%@+-]+|pull_request)$", var.job))
    error_message = "job has to match ^(ref:refs/(heads|tags)/[A-Za-z0-9 ._/%@+-]+|environment:[A-Za-z0-9 ._/%@+-]+|pull_request)$"
  }
}

variable "parameter_path" {
  type        = string
  description = "The role reads the parameters below this path"
  default     = "/ci"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.parameter_path))
    error_message = "parameter_path has to match ^(/[A-Za-z0-9_.-]+)+$"
  }
}

variable "key_alias" {
  type        = string
  description = "The name of the KMS key, for aws ssm put-parameter --key-id"
  default     = "alias/ci-keys"

  validation {
    condition     = can(regex("^alias/[A-Za-z0-9/_-]+$", var.key_alias))
    error_message = "key_alias has to match ^alias/[A-Za-z0-9/_-]+$"
  }
}

variable "create_provider" {
  type        = bool
  description = "false: the account has GitHub's OIDC provider already. It can have only one"
  default     = true
}
