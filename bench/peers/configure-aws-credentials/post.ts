/** A stand-in for the post step of aws-actions/configure-aws-credentials 6: it empties the variables. */
import * as core from '@actions/core';

const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_DEFAULT_REGION'];
for (const name of [...names, 'AWS_REGION']) core.exportVariable(name, '');
