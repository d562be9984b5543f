locals {
  trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Instances"
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  read_keys = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "ReadKeys"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:GetParameters"]
        Resource = "arn:${local.partition}:ssm:${local.region}:${local.account}:parameter${var.parameter_path}/*"
      }],
      # "for" and not a condition: the two results of a condition need the same type.
      [for key in compact([var.key_arn]) : {
        Sid       = "DecryptKeys"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = key
        Condition = { StringEquals = { "kms:ViaService" = "ssm.${local.region}.${local.dns_suffix}" } }
      }],
    )
  })

  # AmazonSSMManagedInstanceCore would let the instances read every parameter of the account.
  managed_policies = var.session_manager ? ["arn:${local.partition}:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy"] : []
}
