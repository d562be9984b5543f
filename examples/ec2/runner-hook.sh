#!/bin/bash
# Started before each job of a self-hosted runner: git, npm and Go in the job's steps use the host's keys. In the runner's
# .env, and restart the runner:
#
#   ACTIONS_RUNNER_HOOK_JOB_STARTED=/opt/actions-runner/runner-hook.sh
#
# The host is set up before, by ssm-ssh-agent setup --system. A job that uses the action gets the action's keys first.
set -euo pipefail

command=$(git config --system --get core.sshCommand) || {
  echo '::error title=setup::this runner has no keys: run ssm-ssh-agent setup --system --key /NAME on its host'
  exit 1
}
{
  echo "GIT_SSH_COMMAND=$command"
  echo 'GIT_SSH_VARIANT=ssh'
} >>"$GITHUB_ENV"
