-- Why: who corrected what for a customer, why, and who agreed.

select 1;
