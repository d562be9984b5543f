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

variable "tag_key" {
  type        = string
  description = "The role reaches the instances with this tag. Who may change the tag can let themselves in"
  default     = "role"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.:/=+@-]{1,128}$", var.tag_key))
    error_message = "tag_key has to match ^[A-Za-z0-9_.:/=+@-]{1,128}$"
  }
}

variable "tag_value" {
  type        = string
  description = "The value of the tag"

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.tag_value))
    error_message = "tag_value has to match ^[A-Za-z0-9 _.:/=+@-]{1,256}$"
  }
}

variable "os_user" {
  type        = string
  description = "The login name on the instances: ec2-user on Amazon Linux, ubuntu on Ubuntu"
  default     = "ec2-user"

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]{0,31}$", var.os_user))
    error_message = "os_user has to match ^[a-z_][a-z0-9_-]{0,31}$"
  }
}
