variable "parameter_path" {
  type        = string
  description = "The instances read the parameters below this path"
  default     = "/ci"

  validation {
    condition     = can(regex("^(/[A-Za-z0-9_.-]+)+$", var.parameter_path))
    error_message = "parameter_path has to match ^(/[A-Za-z0-9_.-]+)+$"
  }
}

variable "key_arn" {
  type        = string
  description = "The KMS key of the parameters: key_arn of ci-role. Empty: the key alias/aws/ssm, which needs no permission"
  default     = ""

  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$", var.key_arn))
    error_message = "key_arn has to match ^(arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+)?$"
  }
}

variable "session_manager" {
  type        = bool
  description = "true: Session Manager and fleet reach the instances"
  default     = true
}
