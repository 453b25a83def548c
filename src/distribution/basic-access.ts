/** HTTP Basic. @see RFC 7617 */
import type { AccessControl } from "./access.ts";
import { refuse } from "./answer.ts";
import { basicCredential, isGranted, type Users } from "./users.ts";

export function createBasicAccess(users: Users, realm = "Registry"): AccessControl {
  return {
    async check(request, need) {
      const credential = basicCredential(request);
      const isKnown = credential !== undefined && (await users.verify(credential.user, credential.password));
      const challenge = { "www-authenticate": `Basic realm="${realm}"` };
      if (credential !== undefined && !isKnown) return refuse(401, "UNAUTHORIZED", "authentication required", undefined, challenge);
      if (isGranted(users.grant, credential?.user, need)) return undefined;
      if (credential === undefined) return refuse(401, "UNAUTHORIZED", "authentication required", undefined, challenge);
      return refuse(403, "DENIED", "requested access to the resource is denied");
    },
  };
}
