locals {
  root = "arn:${local.partition}:iam::${local.account}:root"

  # The account as principal: IAM policies decide who may do it. Nobody may make grants, which could allow more.
  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Administration"
        Effect    = "Allow"
        Principal = { AWS = local.root }
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
          "kms:ScheduleKeyDeletion",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:Update*",
        ]
        Resource = "*"
      },
      # Other roles cannot sign, whatever their IAM policies say.
      {
        Sid       = "SigningByOneRole"
        Effect    = "Allow"
        Principal = { AWS = local.root }
        Action    = "kms:Sign"
        Resource  = "*"
        Condition = {
          ArnLike = {
            "aws:PrincipalArn" = [
              "arn:${local.partition}:iam::${local.account}:role/${var.role_name}",
              "arn:${local.partition}:iam::${local.account}:role/*/${var.role_name}",
            ]
          }
        }
      },
    ]
  })

  sign = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "SignWithKey"
      Effect   = "Allow"
      Action   = ["kms:GetPublicKey", "kms:Sign"]
      Resource = local.key_arn
    }]
  })
}
