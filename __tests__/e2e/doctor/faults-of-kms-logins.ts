/** Faults of logins by keys in KMS and by certificates, for doctor to find with --url. */
import { allow } from '../../support/aws/world.ts';
import { publicKeyOf } from '../../support/kms-keys.ts';
import { permitStatement, policyAdvice, useAuthority, useKmsKey } from './faults-of-kms.ts';
import { setVariable, type Fault } from './stage.ts';

const key = { arn: '' };

const onUrl = (check: string): Pick<Fault, 'check' | 'args'> => ({
  check: (stage) => `${check} ${stage.url}`,
  args: (stage) => ['--url', stage.url],
});

export const faultsOfKmsLogins: readonly Fault[] = [
  {
    ...{ fault: 'the public key of the KMS key is not registered', status: 'fail', detail: /Permission/ },
    ...onUrl('repository'),
    break: (stage) => {
      key.arn = useKmsKey(stage);
      stage.git.removeKey(publicKeyOf(stage.world.aws.signingKeys.get(key.arn)));
    },
    advice: /register the public key at the host .*ssm-ssh-agent public kms:alias\/deploy prints it$/,
    repair: ({ git, world }) => {
      const publicKey = publicKeyOf(world.aws.signingKeys.get(key.arn));
      git.addDeployKey({ repository: 'acme/lib', publicKey });
    },
  },
  {
    ...{ fault: 'the host does not trust the authority', status: 'fail', detail: /Permission denied/ },
    ...onUrl('repository'),
    break: (stage) => {
      key.arn = useAuthority(stage);
      stage.git.removeKey(publicKeyOf(stage.world.aws.signingKeys.get(key.arn)));
    },
    advice: /let the host trust the authority .*public kms:alias\/ca prints, and let deploy open the account/,
    repair: ({ git, world }) => {
      const publicKey = publicKeyOf(world.aws.signingKeys.get(key.arn));
      git.addDeployKey({ repository: 'acme/lib', publicKey, authority: true });
    },
  },
  {
    ...{
      fault: 'the role may not sign the login',
      status: 'fail',
      detail: /^KEY_ACCESS_DENIED: signing with/,
    },
    ...onUrl('repository'),
    break: (stage) => {
      useKmsKey(stage);
      stage.permit([allow('kms:GetPublicKey', '*')]);
    },
    ...{ advice: policyAdvice, repair: permitStatement },
  },
  {
    ...{ fault: 'the default key in KMS is for other hosts', status: 'fail', detail: /^SIGNATURE_REFUSED/ },
    ...onUrl('repository'),
    break: async (stage) => {
      useKmsKey(stage);
      await stage.host.run(`git config --global --remove-section 'ssm.${stage.section}'`);
      setVariable('SSM_SSH_KEY', 'kms:alias/deploy')(stage);
    },
  },
];
