import { createHash } from "node:crypto";

/** The style of a printed document; a page allows it by its hash. */
export const documentStyle = `
:root{--ink:#1b2430;--soft:#5b6776;--line:#dfe4ea;--tint:#f5f7fa;--accent:#0b5c6b;--good:#1c6b3c;--bad:#9b2c2c}
*{box-sizing:border-box}
body{margin:0;background:var(--tint);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;-webkit-print-color-adjust:exact;print-color-adjust:exact}
h1,h2,p,ul,dl,dd,address{margin:0;padding:0;font-style:normal}
.sheet{max-width:52rem;margin:2rem auto;padding:3rem;background:#fff;border:1px solid var(--line);border-radius:10px}
.head{display:flex;justify-content:space-between;gap:2rem;padding-bottom:1.5rem;border-bottom:3px solid var(--accent)}
address span{display:block;color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
.seller-name{font-size:1.25rem}
.title{text-align:right}
.title h1{font-size:1.75rem;line-height:1.2;font-weight:650;color:var(--accent)}
.title p{font-size:1rem;color:var(--soft);font-variant-numeric:tabular-nums}
.about{display:flex;justify-content:space-between;gap:2rem;margin:1.75rem 0}
h2{margin-bottom:.25rem;font-size:.75rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--soft)}
dl{min-width:17rem;font-size:.875rem}
dl div{display:flex;justify-content:space-between;gap:1.5rem;padding:.15rem 0}
dt{color:var(--soft)}
dd{text-align:right;font-variant-numeric:tabular-nums}
.headline{display:flex;align-items:center;justify-content:space-between;gap:1rem;padding:1.1rem 1.4rem;background:var(--tint);border-radius:8px}
.headline p{color:var(--soft);font-size:.875rem}
.headline strong{font-size:2rem;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums}
.state{padding:.25rem .8rem;border:1px solid currentColor;border-radius:99px;font-size:.875rem;font-weight:600;color:var(--soft);white-space:nowrap}
.state.good{color:var(--good)}
.state.bad{color:var(--bad)}
table{width:100%;border-collapse:collapse;font-size:.875rem}
.group table{table-layout:fixed}
.group thead th:nth-child(1){width:42%}
.group thead th:nth-child(2){width:22%}
.group thead th:nth-child(3){width:19%}
.group{margin-top:2.25rem}
caption{padding-bottom:.4rem;text-align:left;font-size:1.0625rem;font-weight:650}
th{font-weight:inherit;text-align:left}
thead th{padding:.35rem 0;border-bottom:1px solid var(--ink);font-size:.75rem;color:var(--soft)}
.group tbody tr:first-child>*{padding-top:.6rem}
.group tbody tr:last-child>*{padding-bottom:.6rem;border-bottom:1px solid var(--line)}
td,.group tbody th{vertical-align:top}
.group tbody tr:first-child>th{font-weight:550}
th small{display:block;font-size:.8125rem;font-weight:400;color:var(--soft)}
.number{padding-left:.75rem;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
.tier>*{padding-top:.2rem;color:var(--soft);font-size:.8125rem}
.tier th{padding-left:1rem}
tfoot th,tfoot td{padding-top:.6rem;font-weight:600}
tfoot th{text-align:right}
.sums{display:flex;justify-content:flex-end;margin-top:2rem}
.sums table{max-width:22rem;font-size:.9375rem}
.sums th,.sums td{padding:.3rem 0}
.sums td{text-align:right;font-variant-numeric:tabular-nums}
.sums .strong>*{padding-top:.55rem;border-top:1px solid var(--ink);font-weight:650}
.sums tr.strong:last-child>*{font-size:1.125rem;border-top:3px solid var(--accent)}
.notes{margin-top:2.25rem;padding-top:1rem;border-top:1px solid var(--line);list-style:none;font-size:.8125rem;color:var(--soft)}
.notes li{margin-bottom:.35rem}
footer{margin-top:1rem;font-size:.8125rem;color:var(--soft);white-space:pre-line}
@media (max-width:40rem){
.sheet{margin:0;padding:1.5rem 1.1rem;border:0;border-radius:0}
.head,.about{flex-direction:column;gap:1.25rem}
.title{text-align:left;order:-1}
dl{min-width:0;width:100%}
.headline{flex-wrap:wrap}
.group table,.group tbody,.group tbody tr,.group tbody th,.group tbody td,caption,tfoot{display:block}
.group thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
caption{border-bottom:1px solid var(--ink)}
.group tbody{border-bottom:1px solid var(--line);padding-bottom:.6rem}
.group tbody tr>*{border:0!important;padding-bottom:0!important}
.group tbody td.number,tfoot tr{display:flex;justify-content:space-between;gap:1rem;padding-left:0}
.group tbody tr:first-child>td{padding-top:.15rem}
.group .tier td.number{padding-left:1rem}
.group tbody td[data-name]::before{content:attr(data-name);color:var(--soft)}
.group tbody td.none{display:none}
.sums table{max-width:none}
}
@page{size:A4;margin:16mm}
@media print{
body{background:#fff;font-size:10pt}
.sheet{max-width:none;margin:0;padding:0;border:0}
.group tbody,.sums,.headline,.about{break-inside:avoid}
caption,thead{break-after:avoid}
.notes{break-inside:avoid}
}
`;

const styleHash = createHash("sha256").update(documentStyle).digest("base64");

/** Nothing is fetched and nothing runs; the one style of the page is known. */
export const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`;
