-- Why: what a request may cost is set aside before it runs, so that it cannot be spent twice.

select 1;
