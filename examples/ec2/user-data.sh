#!/bin/sh
# User data of an Amazon Linux 2023 instance: git on it uses a key from Parameter Store, by the role of the instance.
# The role needs instance-role-policy.json. Other distributions: install git, OpenSSH's client and Node 20 or newer.
set -eu

# Where the key is. Several: '--key' for each, with its repositories behind the reference.
KEY=${KEY:-/ci/deploy-key}
# The release, and the SHA-256 of its tarball: verify it once, as docs/install.md says, and write it here.
VERSION=${VERSION:-1.0.0}
SHA256=${SHA256:?'write the SHA-256 of the tarball into the user data: docs/install.md'}
URL=${URL:-https://github.com/OWNER/ssm-ssh-agent/releases/download/v$VERSION/ssm-ssh-agent-$VERSION.tgz}

dnf install -y git openssh-clients nodejs24 nodejs24-npm
folder=$(mktemp -d)
curl -fsSL --retry 5 --output "$folder/package.tgz" "$URL"
echo "$SHA256  $folder/package.tgz" | sha256sum --check --strict
npm install --global "$folder/package.tgz"
rm -r "$folder"
ssm-ssh-agent setup --system --key "$KEY"
