locals {
  # Not for sts: AssumeRoleWithWebIdentity is not signed, so it has no account.
  with_policy = ["ssm", "secretsmanager", "kms", "ec2"]

  endpoint_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RolesOfThisAccount"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
    }]
  })
}
