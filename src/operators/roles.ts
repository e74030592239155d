/** Roles as data: what each may do. Whoever needs another set changes this table and nothing else. */
export const permissions = [
  "metadata.read",
  "live.read",
  "proofs.read",
  "content.open",
  "keys.read",
  "keys.write",
  "operators.read",
  "operators.write",
] as const;
export type Permission = (typeof permissions)[number];

export const roles = ["viewer", "operator", "approver", "reviewer", "auditor", "admin"] as const;
export type Role = (typeof roles)[number];

export const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ["metadata.read"],
  operator: ["metadata.read", "live.read", "proofs.read", "keys.read"],
  approver: ["metadata.read", "live.read", "proofs.read", "keys.read"],
  reviewer: ["metadata.read", "live.read", "proofs.read", "content.open"],
  auditor: ["metadata.read", "live.read", "proofs.read", "content.open", "keys.read", "operators.read"],
  admin: permissions,
};

export const allows = (held: readonly Role[], permission: Permission): boolean =>
  held.some((role) => permissionsOf[role].includes(permission));

/** The roles that would do, for the message of a refusal. */
export const rolesWith = (permission: Permission): Role[] =>
  roles.filter((role) => permissionsOf[role].includes(permission));

export const isRole = (text: string): text is Role => (roles as readonly string[]).includes(text);
