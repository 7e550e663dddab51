/** The colour and the shape of a diagnosis and of its hops. No verdict is green: it is the service's word. */

/** @type {Record<string, [role: string, icon: string]>} */
export const LOOKS = {
  present: ["neutral", "tick"],
  replaced: ["bad", "replaced"],
  void: ["bad", "void"],
  reversed: ["bad", "reversed"],
  released: ["bad", "void"],
  partly_reversed: ["caution", "half"],
  detail_mismatch: ["caution", "differs"],
  awaiting_approval: ["wait", "clock"],
  accepted_not_sealed: ["wait", "clock"],
  sealed_not_anchored: ["wait", "clock"],
  anchored_not_final: ["wait", "clock"],
  not_delivered_to_central: ["wait", "clock"],
  node_lagging: ["wait", "clock"],
  delivered_not_visible: ["caution", "warning"],
  receipt_breached: ["bad", "warning"],
  lost_after_anchor: ["bad", "broken"],
  altered: ["bad", "broken"],
  never_submitted: ["caution", "absent"],
  other_region: ["caution", "arrow"],
  forged: ["bad", "broken"],
};

/** @type {Record<string, string>} */
export const HOP_ICONS = { done: "tick", missing: "cross", differs: "differs", unknown: "question", not_applicable: "dash" };
