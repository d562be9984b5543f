locals {
  issuer   = "token.actions.githubusercontent.com"
  instance = "arn:${local.partition}:ec2:${local.region}:${local.account}:instance/*"
  session  = "arn:${local.partition}:ssm:${local.region}:${local.account}:session"
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
          "${local.issuer}:aud" = "sts.amazonaws.com"
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
        Sid    = "OwnSessions"
        Effect = "Allow"
        Action = ["ssm:ResumeSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"]
        # The id of a session begins with the name of the role's session. The action names it
        # OWNER-REPOSITORY-RUN-ATTEMPT, and cuts that to 64 characters before the run.
        Resource = [
          "${local.session}/$${aws:userid}-*",
          "${local.session}/${var.owner}-${var.repository}-*",
        ]
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
