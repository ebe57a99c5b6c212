-- A sum is unknown where one of its terms is unknown: null is never counted as zero.
create or replace macro known_sum(x) as case when count(*) = count(x) then sum(x) end;

-- A ratio is unknown where a side is unknown or the divisor is zero.
create or replace macro ratio(x, y) as case when y <> 0 then x::double / y::double end;
