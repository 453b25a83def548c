/** AWS keys that a program of the user's prints. @see AWS SDKs and Tools Reference, "Process credential provider" */
import { keysOf, type AwsKeys } from "./aws-signature.ts";
import { parseObject, stringIn, type SignInWorld, type Tell } from "./ports.ts";

export async function processKeys(world: SignInWorld, tell: Tell, name: string, command: string): Promise<AwsKeys | undefined> {
  const source = `AWS profile ${name}`;
  const output = await world.run(command);
  if (output === undefined) return tell(source, "its credential_process failed");
  const answer = parseObject(output);
  if (answer["Version"] !== 1) return tell(source, "its credential_process printed no answer of version 1");
  return (
    keysOf(stringIn(answer, "AccessKeyId"), stringIn(answer, "SecretAccessKey"), stringIn(answer, "SessionToken")) ??
    tell(source, "its credential_process printed no keys")
  );
}
