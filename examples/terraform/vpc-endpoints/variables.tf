variable "vpc_id" {
  type        = string
  description = "The VPC of the instances. It needs DNS support and DNS host names"

  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id has to match ^vpc-[0-9a-f]+$"
  }
}

variable "subnet_ids" {
  type        = list(string)
  description = "One subnet for each availability zone of the instances"
}

variable "client_security_group_id" {
  type        = string
  description = "Instances with this security group may use the endpoints"

  validation {
    condition     = can(regex("^sg-[0-9a-f]+$", var.client_security_group_id))
    error_message = "client_security_group_id has to match ^sg-[0-9a-f]+$"
  }
}

variable "services" {
  type        = set(string)
  description = "ssm: parameters, Session Manager and fleet. ssmmessages: Session Manager. ec2messages: SSM agents before version 3.3.40.0. secretsmanager: keys in Secrets Manager. sts: roles that instances assume (setup --role-arn), and jobs of self-hosted runners. kms: programs that call KMS themselves. ec2: EC2 hosts that are named by a tag"
  default     = ["ssm", "ssmmessages"]

  validation {
    condition     = length(setsubtract(var.services, ["ssm", "ssmmessages", "ec2messages", "secretsmanager", "sts", "kms", "ec2"])) == 0
    error_message = "services has to be some of ssm, ssmmessages, ec2messages, secretsmanager, sts, kms, ec2"
  }
}
