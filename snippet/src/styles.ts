/**
 * What is drawn before the widget's own stylesheet is there: the launcher, and the panel's frame,
 * header and waiting state. Colours are custom properties that the widget's stylesheet uses too.
 * Written without indentation, because every page view pays for each byte.
 */
export const styles = `:host{all:initial!important}
@media print{:host{display:none!important}}
*,:before,:after{box-sizing:border-box;margin:0}
.frame{--bg:#fff;--soft:#f3f4f6;--line:#e3e4e8;--text:#17181c;--muted:#5c5f69;color-scheme:light;font:15px/1.5 system-ui,sans-serif;color:var(--text)}
.dark{--bg:#17181c;--soft:#25272e;--line:#363943;--muted:#a9acb8;--text:#f3f4f6;color-scheme:dark}
@media(prefers-color-scheme:dark){.auto{--bg:#17181c;--soft:#25272e;--line:#363943;--muted:#a9acb8;--text:#f3f4f6;color-scheme:dark}}
button{font:inherit;color:inherit;background:0 0;border:1px solid transparent;padding:0;cursor:pointer}
:focus-visible{outline-offset:2px;outline:3px solid var(--ink,currentColor)}
.panel:focus{outline:0}
.icon{width:22px;height:22px;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.launcher,.panel{position:fixed;z-index:2147483000;bottom:calc(20px + env(safe-area-inset-bottom));right:calc(20px + env(safe-area-inset-right))}
.left>*{right:auto;left:calc(20px + env(safe-area-inset-left))}
.launcher,.tool,.avatar{display:grid;place-items:center;width:40px;height:40px}
.launcher,.avatar{background:var(--accent);color:var(--on-accent)}
.launcher{width:60px;height:60px;border-radius:50%;box-shadow:0 8px 24px #0005;transition:.2s}
.launcher:focus-visible{outline-color:#fff;box-shadow:0 0 0 9px #000b}
.launcher .icon{grid-area:1/1;width:28px;height:28px;transition:.2s}
.open .launcher>:first-child,.frame:not(.open) .icon+.icon{opacity:0}
.panel{z-index:2147483001;bottom:calc(96px + env(safe-area-inset-bottom));display:flex;flex-direction:column;width:min(410px,100vw - 40px);height:min(700px,100dvh - 120px);overflow:hidden;background:var(--bg);border:1px solid var(--line);border-radius:20px;box-shadow:0 18px 56px #0004;transition:opacity .2s,transform .2s}
.frame:not(.open) .panel{visibility:hidden;opacity:0;transform:translateY(14px);transition:.2s}
.header{display:flex;align-items:center;gap:12px;padding:14px 12px;border-bottom:1px solid var(--line);background:linear-gradient(color-mix(in srgb,var(--accent) 12%,var(--bg)),var(--bg))}
.avatar{border-radius:14px;font-size:18px}
.names{flex:1;min-width:0}
.names>*{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.names h2{font-size:16px;line-height:1.3}
.names p{font-size:13px;color:var(--muted)}
.tool{border-radius:12px;color:var(--muted)}
.body,.cover{flex:1;min-height:0;display:flex;flex-direction:column}
.cover{gap:14px;padding:24px 20px;overflow:auto}
.cover:not(.wait){place-content:center;place-items:center;text-align:center}
.wait i{width:72%;height:16px;border-radius:8px;background:var(--soft)}
.wait i+i{width:88%}
.retry{min-height:40px;padding:6px 16px;border-color:var(--line);border-radius:12px}
@media(max-height:600px){.panel{bottom:8px;height:calc(100dvh - 16px)}.open .launcher{display:none}}
@media(max-width:480px){.panel{inset:var(--top,0) 0 auto!important;width:100%;height:var(--height,100dvh);border:0;border-radius:0;padding:env(safe-area-inset-top) 0 env(safe-area-inset-bottom)}.open .launcher{display:none}}
@media(prefers-reduced-motion){*,:before,:after{transition:none!important;animation:none!important}}
`;
