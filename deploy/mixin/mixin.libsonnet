// The rules and the dashboard of ../prometheus and ../grafana as a monitoring mixin: the four parts
// that kube-prometheus and Grizzly import. Rules of a config of yours:
//
//   (import 'mixin.libsonnet') + {
//     _config+:: { losswatch+: {
//       rules: importstr 'my.rules.yml',      // losswatch rules my.yml --output my.rules.yml
//       dashboard: importstr 'my.json',       // losswatch dashboard my.yml --output my.json
//       job: 'meters',
//     } },
//   }
//
// Files that are written with --job or --runbook-url have their job and runbook already.
{
  _config+:: {
    losswatch: {
      // The scrape job that all rules look at, and that the dashboard shows at first.
      job: 'losswatch',
      // What the links of alerts begin with; `#` and the name of the alert follow.
      runbook: 'deploy/runbook.md',
      rules: importstr '../prometheus/losswatch.rules.yml',
      dashboard: importstr '../grafana/losswatch.json',
    },
  },

  local own = $._config.losswatch,
  local text = std.strReplace(
    std.strReplace(own.rules, 'job="losswatch"', 'job=' + std.escapeStringJson(own.job)),
    'runbook_url: "deploy/runbook.md#',
    'runbook_url: "' + own.runbook + '#',
  ),
  local groups = std.parseYaml(text).groups,
  // A group has rules of one kind.
  local with(kind) = [group for group in groups if std.objectHas(group.rules[0], kind)],
  local dashboard = std.parseJson(own.dashboard),
  local chosen(variable) =
    if variable.name == 'job' then variable { current+: { text: own.job, value: own.job } } else variable,

  prometheusAlerts+:: { groups+: with('alert') },
  prometheusRules+:: { groups+: with('record') },
  grafanaDashboards+:: {
    'losswatch.json': dashboard { templating+: { list: std.map(chosen, dashboard.templating.list) } },
  },
}
