variable "tag_key" {
  type        = string
  description = "The instances with this tag"
  default     = "ssm-ssh"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.:/=+@-]{1,128}$", var.tag_key))
    error_message = "tag_key has to match ^[A-Za-z0-9_.:/=+@-]{1,128}$"
  }
}

variable "tag_value" {
  type        = string
  description = "The value of the tag"
  default     = "true"

  validation {
    condition     = can(regex("^[A-Za-z0-9 _.:/=+@-]{1,256}$", var.tag_value))
    error_message = "tag_value has to match ^[A-Za-z0-9 _.:/=+@-]{1,256}$"
  }
}

variable "release" {
  type        = string
  description = "The release: 1.0.0. Another version updates the instances"

  validation {
    condition     = can(regex("^[0-9]+[.][0-9]+[.][0-9]+$", var.release))
    error_message = "release has to match ^[0-9]+[.][0-9]+[.][0-9]+$"
  }
}

variable "sha256" {
  type        = string
  description = "The SHA-256 of its tarball, which you wrote down when you verified it"

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.sha256))
    error_message = "sha256 has to match ^[0-9a-f]{64}$"
  }
}

variable "keys" {
  type        = string
  description = "The keys, as in setup --key, with a semicolon between two: /ci/lib-key github.com/acme/lib; /ci/user-key"

  validation {
    condition     = can(regex("^[A-Za-z0-9/:._@=*%+,; -]+$", var.keys))
    error_message = "keys has to match ^[A-Za-z0-9/:._@=*%+,; -]+$"
  }
}

variable "key_region" {
  type        = string
  description = "The Region of the keys. Empty for the Region of each instance"
  default     = ""

  validation {
    condition     = can(regex("^([a-z]{2}(-[a-z]+)+-[0-9])?$", var.key_region))
    error_message = "key_region has to match ^([a-z]{2}(-[a-z]+)+-[0-9])?$"
  }
}

variable "release_url" {
  type        = string
  description = "Where the releases are. Instances without a way to GitHub need a copy, for example in S3"
  default     = "https://github.com/OWNER/ssm-ssh-agent/releases/download"

  validation {
    condition     = can(regex("^https://[A-Za-z0-9._/-]+[A-Za-z0-9]$", var.release_url))
    error_message = "release_url has to match ^https://[A-Za-z0-9._/-]+[A-Za-z0-9]$"
  }
}

variable "schedule" {
  type        = string
  description = "How often each instance is checked. New instances, and a change of a parameter, do not wait for it"
  default     = "rate(1 day)"

  validation {
    condition     = can(regex("^(rate|cron)[(][A-Za-z0-9 #*,/?-]+[)]$", var.schedule))
    error_message = "schedule has to match ^(rate|cron)[(][A-Za-z0-9 #*,/?-]+[)]$"
  }
}
