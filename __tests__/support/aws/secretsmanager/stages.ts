/** UpdateSecretVersionStage: moves, adds and removes the staging labels of versions. */
import { AwsError } from '../errors.ts';
import { optionalText, text } from '../ssm/input.ts';
import { ownSecret, type SecretsOperation } from './read.ts';
import { moveStages, type SecretVersion, type StoredSecret } from './secrets.ts';

/** Source: Secrets Manager API Reference, UpdateSecretVersionStage. Its messages are not in the reference. */
export const updateSecretVersionStage: SecretsOperation = (store, caller, input) => {
  const action = 'secretsmanager:UpdateSecretVersionStage';
  const secret = ownSecret(store, caller, { id: text(input, 'SecretId'), action });
  const stage = text(input, 'VersionStage');
  const [from, to] = [optionalText(input, 'RemoveFromVersionId'), optionalText(input, 'MoveToVersionId')];
  const source = from === undefined ? undefined : versionOf(secret, from);
  const target = to === undefined ? undefined : versionOf(secret, to);
  const holder = secret.versions.find(({ stages }) => stages.has(stage));
  if (source && holder !== source) {
    throw invalidParameter(`The staging label ${stage} is not attached to version ${source.versionId}.`);
  }
  if (target && holder && holder !== target && source === undefined) {
    const where = `currently attached to version ${holder.versionId}`;
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is ${where}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (!target && stage === 'AWSCURRENT') {
    throw invalidParameter(
      'You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.',
    );
  }
  if (target) moveStages(secret.versions, target.versionId, [stage]);
  else source?.stages.delete(stage);
  return { ARN: secret.arn, Name: secret.name };
};

function versionOf({ versions }: StoredSecret, versionId: string): SecretVersion {
  const found = versions.find((version) => version.versionId === versionId);
  if (found) return found;
  const message = `Secrets Manager can't find the specified secret value for VersionId: ${versionId}`;
  throw new AwsError({ code: 'ResourceNotFoundException', message });
}

function invalidParameter(message: string): AwsError {
  return new AwsError({ code: 'InvalidParameterException', message });
}
