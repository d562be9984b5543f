variable "key_alias" {
  type        = string
  description = "The name of the key: alias/deploy is kms:alias/deploy in keys"

  validation {
    condition     = can(regex("^alias/[A-Za-z0-9/_-]+$", var.key_alias))
    error_message = "key_alias has to match ^alias/[A-Za-z0-9/_-]+$"
  }
}

variable "key_spec" {
  type        = string
  description = "The type of the key. Azure DevOps and GitHub Apps need RSA"
  default     = "ECC_NIST_P256"

  validation {
    condition = contains([
      "ECC_NIST_EDWARDS25519", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "RSA_2048", "RSA_3072", "RSA_4096",
    ], var.key_spec)
    error_message = "key_spec has to be a type of key that signs for SSH"
  }
}

variable "role_name" {
  type        = string
  description = "The name of the role that signs: the end of its ARN"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name has to match ^[A-Za-z0-9_+=,.@-]{1,64}$"
  }
}
