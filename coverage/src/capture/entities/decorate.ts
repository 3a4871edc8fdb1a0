/** Applies a TypeORM copy's decorators without syntax, so that one definition serves all copies. */
export function decorate(
  type: { prototype: object },
  own: readonly ClassDecorator[],
  members: Readonly<Record<string, readonly PropertyDecorator[]>>,
): void {
  for (const [name, decorators] of Object.entries(members)) {
    for (const decorator of decorators) decorator(type.prototype, name);
  }
  for (const decorator of own) (decorator as (type: object) => void)(type);
}
