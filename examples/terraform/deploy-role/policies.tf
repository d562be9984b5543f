locals {
  issuer   = "token.actions.githubusercontent.com"
  instance = "arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"
  sessions = "arn:${local.partition}:ssm:${local.region}:${local.account}:session/*"
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

  reach_hosts = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "TunnelToInstancesWithThisTag"
        Effect   = "Allow"
        Action   = "ssm:StartSession"
        Resource = local.instance
        Condition = {
          StringEquals = { "ssm:resourceTag/${var.tag_key}" = var.tag_value }
          BoolIfExists = { "ssm:SessionDocumentAccessCheck" = "true" }
        }
      },
      {
        Sid    = "ForSshAlone"
        Effect = "Allow"
        Action = "ssm:StartSession"
        # AWS owns the document, so its ARN has no account.
        Resource = "arn:${local.partition}:ssm:${local.region}:*:document/AWS-StartSSHSession"
      },
      {
        Sid      = "OwnSessions"
        Effect   = "Allow"
        Action   = ["ssm:ResumeSession", "ssm:TerminateSession"]
        Resource = local.sessions
        # Session Manager tags each session with the id of the caller who started it.
        Condition = {
          StringLike = { "ssm:resourceTag/aws:ssmmessages:session-id" = "$${aws:userid}" }
        }
      },
      {
        Sid    = "CarrySessions"
        Effect = "Allow"
        # It needs a token of StartSession or ResumeSession.
        Action   = "ssmmessages:OpenDataChannel"
        Resource = local.sessions
      },
      {
        Sid      = "LogInAsThisUser"
        Effect   = "Allow"
        Action   = "ec2-instance-connect:SendSSHPublicKey"
        Resource = local.instance
        Condition = {
          StringEquals = {
            "aws:ResourceTag/${var.tag_key}" = var.tag_value
            "ec2:osuser"                     = var.os_user
          }
        }
      },
      {
        Sid    = "LookUp"
        Effect = "Allow"
        Action = "ec2:DescribeInstances"
        # Actions of EC2 that describe support no resources.
        Resource = "*"
      },
    ]
  })
}
