locals {
  issuer     = "token.actions.githubusercontent.com"
  parameters = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter${var.parameter_path}/*"
  ssm        = "ssm.${local.region}.${local.dns_suffix}"
  # The action asks for this audience there.
  audience = local.partition == "aws-cn" ? "sts.amazonaws.com.cn" : "sts.amazonaws.com"
  subjects = [
    "repo:${var.owner}/${var.repository}:${var.job}",
    # Repositories that were made, renamed or moved after 15 July 2026 have this form.
    "repo:${var.owner}@${var.owner_id}/${var.repository}@${var.repository_id}:${var.job}",
  ]

  trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "JobsOfThisRepository"
      Effect    = "Allow"
      Principal = { Federated = "arn:${local.partition}:iam::${local.account}:oidc-provider/${local.issuer}" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${local.issuer}:aud" = local.audience
          "${local.issuer}:sub" = local.subjects
        }
      }
    }]
  })

  read_keys = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadKeys"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:GetParameters"]
        Resource = local.parameters
      },
      {
        Sid       = "DecryptKeys"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = local.key_arn
        Condition = { StringEquals = { "kms:ViaService" = local.ssm } }
      },
    ]
  })

  # The account as principal: IAM policies decide who may do it. Nobody may make grants, which could allow more.
  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Administration"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action = [
          "kms:CancelKeyDeletion",
          "kms:CreateAlias",
          "kms:Delete*",
          "kms:Describe*",
          "kms:Disable*",
          "kms:Enable*",
          "kms:Get*",
          "kms:List*",
          "kms:Put*",
          "kms:Revoke*",
          "kms:RotateKeyOnDemand",
          "kms:ScheduleKeyDeletion",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:Update*",
        ]
        Resource = "*"
      },
      # Nobody can use the key directly, or for parameters elsewhere.
      {
        Sid       = "ParametersBelowThePath"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
        Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = {
          StringEquals = { "kms:ViaService" = local.ssm }
          StringLike   = { "kms:EncryptionContext:PARAMETER_ARN" = local.parameters }
        }
      },
    ]
  })
}
