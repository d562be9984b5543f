#!/bin/sh
# User data of an Amazon Linux 2023 instance: git on it uses a key from Parameter Store, by the role of the instance.
# The role needs instance-role-policy.json. Other distributions: install git, OpenSSH's client and Node 20 or newer.
set -eu

# Where the key is. Several: '--key' for each, with its repositories behind the reference.
KEY=${KEY:-/ci/deploy-key}
# What npm installs: a package's name, or the path or URL of a tarball.
PACKAGE=${PACKAGE:-ssm-ssh-agent}

dnf install -y git openssh-clients nodejs24 nodejs24-npm
npm install --global "$PACKAGE"
ssm-ssh-agent setup --system --key "$KEY"
