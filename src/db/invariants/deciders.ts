/**
 * A condition on `decided_by`: a key that may agree to what others ask for, to everything or to something, or a person. What a
 * person's roles were then is in the audit trail; the people table has what they are now.
 */
export const mayDecide = `(
  exists (select from access.api_key as key cross join unnest(key.scopes) as scope
    where 'api-key/' || key.id = decided_by and (scope = 'approve' or scope like '%:approve'))
  or exists (select from access.person where 'person/' || person.id = decided_by))`;
