//! The page's own words in both languages. Kubernetes' words (kinds, fields, reasons, messages) are never translated.

use serde::{Deserialize, Serialize};
use yew::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lang {
    #[default]
    #[serde(rename = "en")]
    En,
    #[serde(rename = "zh-CN")]
    Zh,
}

impl Lang {
    pub fn tag(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Zh => "zh-CN",
        }
    }

    pub fn is_chinese(self) -> bool {
        self == Lang::Zh
    }

    pub fn say(self, word: W) -> &'static str {
        let (en, zh) = word.texts();
        if self.is_chinese() { zh } else { en }
    }

    /// The text with `{0}`, `{1}` … replaced.
    pub fn fill(self, word: W, values: &[&str]) -> String {
        let mut text = self.say(word).to_owned();
        for (index, value) in values.iter().enumerate() {
            text = text.replace(&format!("{{{index}}}"), value);
        }
        text
    }
}

#[hook]
pub fn use_lang() -> Lang {
    use_context::<Lang>().unwrap_or_default()
}

macro_rules! words {
    ($($name:ident: $en:literal, $zh:literal;)*) => {
        /// A text of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum W { $($name),* }

        impl W {
            fn texts(self) -> (&'static str, &'static str) {
                match self { $(W::$name => ($en, $zh)),* }
            }
        }
    };
}

words! {
    Edited: "edited", "已修改";
    Examples: "Examples", "示例";
    BrowseExamples: "Browse examples", "浏览示例";
    Share: "Share", "分享";
    Language: "Language", "语言";
    DarkTheme: "Dark theme", "深色主题";
    LightTheme: "Light theme", "浅色主题";
    Help: "All keys", "全部快捷键";
    Close: "Close", "关闭";
    OpenFile: "Open a file", "打开文件";

    Manifests: "Manifests", "清单";
    NewFile: "New file", "新建文件";
    CloseFile: "Close {0}", "关闭 {0}";
    Rename: "Rename {0}", "重命名 {0}";
    Differs: "differs from the cluster", "与集群不同";
    Apply: "Apply", "应用";
    ApplyFile: "Apply {0}", "应用 {0}";
    OneLineDiffers: "1 line differs from the cluster", "1 行与集群不同";
    LinesDiffer: "{0} lines differ from the cluster", "{0} 行与集群不同";
    SameAsCluster: "same as in the cluster", "与集群一致";
    NotAppliedYet: "not applied yet", "尚未应用";
    Created: "{0} created", "新建 {0}";
    Configured: "{0} configured", "更新 {0}";
    Unchanged: "{0} unchanged", "未变 {0}";
    Refused: "{0} refused", "拒绝 {0}";
    OnlyStored: "{0}: stored, not simulated", "{0}：仅存储，不模拟";
    NothingInFile: "no object in this file", "文件中没有对象";
    Applying: "Applying …", "正在应用……";
    TooLongToCheck: "{0}: too long for a dry run while typing", "{0}：太长，输入时不试运行";
    TooLongToApply: "{0}: too long. An object may have 1.5 MiB, a file 3 MB here", "{0}：太长。单个对象最多 1.5 MiB，文件最多 3 MB";
    FromApiServer: "{0} {1}, from the API server", "{0} {1}，来自 API server";
    NotAppliable: "This cannot be applied", "无法应用";
    WarningFrom: "Warning, from the API server", "警告，来自 API server";
    EditorLabel: "Manifest, YAML", "清单，YAML";
    DropHere: "Drop YAML files or a scenario here", "将 YAML 或场景文件拖放到这里";
    ShowEditor: "Editor", "编辑器";

    Map: "Map", "地图";
    AllNamespaces: "All namespaces", "所有命名空间";
    Namespace: "Namespace", "命名空间";
    Filter: "Filter", "过滤";
    FilterHint: "name, owner, status …", "名称、所有者、状态……";
    ClearFilter: "Clear filter", "清除过滤";
    NothingMatches: "No Pod matches “{0}”", "没有 Pod 匹配“{0}”";
    Show: "Show", "显示";
    Traffic: "Traffic", "流量";
    Storage: "Storage", "存储";
    SystemPods: "System Pods", "系统 Pod";
    ZoomOut: "Zoom out", "缩小";
    ZoomIn: "Zoom in", "放大";
    Fit: "Fit", "适应";
    ControlPlane: "Control plane", "控制平面";
    Pause: "Pause {0}", "暂停 {0}";
    Resume: "Resume {0}", "恢复 {0}";
    ResumeWord: "Resume", "恢复";
    PausedByYou: "paused by you", "已由你暂停";
    Killed: "not running", "未运行";
    Revision: "revision", "版本";
    SinceStart: "since the start", "自开始以来";
    ObjectsStored: "objects", "对象";
    Watches: "watches", "监听";
    WorkQueues: "work queues", "工作队列";
    Syncing: "{0} syncing", "正在同步 {0}";
    Idle: "nothing to do", "空闲";
    Controllers: "controllers", "控制器";
    Scheduler: "scheduler", "调度器";
    Clients: "Clients", "客户端";
    NoTraffic: "no traffic", "无流量";
    Failed: "{0} failed", "失败 {0}";
    Headless: "headless, DNS only", "headless，仅 DNS";
    NoEndpoints: "no endpoints", "无端点";
    NReady: "{0} ready", "{0} 就绪";
    NNotReady: "{0} not ready", "{0} 未就绪";
    NDraining: "{0} draining", "{0} 排空中";
    Pods: "pods", "Pod";
    Requested: "{0} requested", "{0} 请求量";
    InUse: "in use", "使用量";
    NSystem: "{0} system", "{0} 系统";
    NoSchedule: "no schedule", "不可调度";
    PoweredOff: "off", "已断电";
    KubeletPaused: "kubelet paused", "kubelet 已暂停";
    SilentFor: "silent {0}", "{0} 无应答";
    StorageClass: "class {0}, {1}", "存储类 {0}，{1}";
    NoVolumeYet: "no volume yet", "尚无卷";
    LastProbes: "Last probes", "最近探针";
    Restarts: "{0} restarts", "重启 {0} 次";
    MoreWait: "{0} more", "另有 {0}";
    PodName: "Pod {0}, {1}, on {2}", "Pod {0}，{1}，位于 {2}";
    PodWaiting: "Pod {0}, {1}, not on a node", "Pod {0}，{1}，未在节点上";
    WithRevision: "revision {0}", "修订 {0}";
    PerSecond: "{0} req/s", "{0} req/s";

    StateUnscheduled: "Pending, not scheduled", "待调度";
    StateInit: "Init containers {0} of {1}", "初始化 {0}/{1}";
    StatePulling: "Pulling image", "拉取镜像";
    StateStarting: "Starting", "启动中";
    StateNotReadyYet: "Running, not ready yet", "运行中，未就绪";
    StateNoLongerReady: "Running, no longer ready", "运行中，不再就绪";
    StateReady: "Running, ready", "运行中，就绪";
    StateTerminating: "Terminating", "终止中";
    StateCrashLoop: "CrashLoopBackOff", "反复崩溃";
    StateCannotStart: "Cannot start", "无法启动";
    StateFailed: "Failed", "已失败";
    StateSucceeded: "Succeeded", "已完成";
    StateUnknown: "Unknown", "未知";

    Inspector: "Inspector", "检查器";
    Summary: "Summary", "概要";
    Events: "Events", "事件";
    Why: "Why?", "为什么？";
    InNamespace: "{0} in", "{0}，位于";
    OwnedBy: "owned by", "所有者";
    DeletedAt: "deleted at {0}", "于 {0} 删除";
    FromCreation: "From creation to Ready", "从创建到就绪";
    PhasesSoFar: "Phases so far", "至今的阶段";
    PhaseScheduling: "scheduling", "调度";
    PhaseVolumes: "volumes", "挂载卷";
    PhaseSandbox: "sandbox", "创建沙箱";
    PhaseImagePull: "image pull", "拉取镜像";
    PhaseStart: "starting", "启动";
    PhaseReadiness: "waiting for readiness", "等待就绪";
    WhyItIs: "Why it is as it is", "为什么是这样";
    Causes: "{0} causes", "{0} 个原因";
    OneCause: "1 cause", "1 个原因";
    WhatItLedTo: "What it led to", "它引发了什么";
    Effects: "{0} effects", "{0} 个结果";
    OneEffect: "1 effect", "1 个结果";
    YouRan: "You ran {0}", "你执行了 {0}";
    WasCreated: "{0} created", "创建了 {0}";
    WasChanged: "{0} changed", "更改了 {0}";
    WasScaled: "{0} scaled", "伸缩了 {0}";
    WasBound: "{0} bound", "绑定了 {0}";
    WasEvicted: "{0} evicted", "驱逐了 {0}";
    WasDeleted: "{0} deleted", "删除了 {0}";
    BecameReady: "Ready", "就绪";
    GetsTraffic: "Services send it traffic from now on", "从此 Service 会把流量发给它";
    DoneBy: "by {0}", "由 {0} 执行";
    AtRevision: "revision {0}", "修订版本 {0}";
    StepScheduled: "Scheduled", "已调度";
    StepUnscheduled: "Not scheduled", "未能调度";
    StepImage: "Image", "镜像";
    StepSandbox: "Sandbox", "沙箱";
    StepVolume: "Volume", "卷";
    StepContainer: "Container", "容器";
    StepBackOff: "Back-off", "退避等待";
    StepProbe: "Probe", "探针";
    StepPreStop: "preStop hook", "preStop 钩子";
    StepRetry: "Tries again", "将重试";
    StepFinalizer: "Keeps its finalizer", "保留其 finalizer";
    StepStatus: "Status", "状态上报";
    StepDeletion: "Deletion", "删除";
    NoCause: "Nothing has been recorded about it yet.", "还没有关于它的记录。";
    NoEvents: "No events. The API keeps them for an hour.", "没有事件。API 保留一小时。";
    Looking: "Looking …", "正在查看……";
    BreakIt: "Break it", "搞坏它";
    Delete: "Delete", "删除";
    Evict: "Drain", "排空";
    Cordon: "Cordon", "封锁";
    Uncordon: "Uncordon", "解除封锁";
    PowerOff: "Power off", "断电";
    PowerOn: "Power on", "通电";
    PauseKubelet: "Pause kubelet", "暂停 kubelet";
    ResumeKubelet: "Resume kubelet", "恢复 kubelet";
    Restart: "Restart rollout", "重启滚动更新";
    Copy: "Copy", "复制";
    Copied: "Copied", "已复制";
    Describe: "Describe", "描述";
    Logs: "Logs", "日志";
    Shell: "Shell", "Shell";
    SelectNothing: "Select a Pod, a node or a Service to see why it is as it is.", "选中 Pod、节点或 Service，查看它为什么是这样。";

    Dock: "Terminal and events", "终端与事件";
    Terminal: "Terminal", "终端";
    Simulates: "simulates Kubernetes {0}", "模拟 Kubernetes {0}";
    Maximise: "Make taller", "展开";
    Minimise: "Make shorter", "收起";
    TermAccept: "accept", "采用";
    TermChoose: "choose", "选择";
    TermHistory: "history", "历史";
    TermSearch: "search", "搜索";
    ColTime: "Time", "时间";
    ColType: "Type", "类型";
    ColReason: "Reason", "原因";
    ColObject: "Object", "对象";
    ColMessage: "Message", "消息";
    NoEventsYet: "Nothing has happened yet.", "还没有发生什么。";

    Play: "Run (Space)", "运行（空格）";
    PauseTime: "Pause (Space)", "暂停（空格）";
    Step: "Step to the next event (.)", "单步到下一事件（.）";
    LiveTime: "Live, virtual time", "实时，虚拟时间";
    PausedTime: "Paused, virtual time", "已暂停，虚拟时间";
    SettledTime: "Settled, virtual time", "已稳定，虚拟时间";
    SlowTime: "{0}×, {1}× asked", "{0}×，要求 {1}×";
    Speed: "Speed", "速度";
    UntilSettled: "Until settled", "直到稳定";
    UntilSettledHint: "As fast as possible until nothing is left to do", "全速运行，直到无事可做";
    Timeline: "Timeline", "时间线";
    Planned: "planned", "计划中";

    ShareTitle: "Share this cluster at {0}", "分享此刻的集群 {0}";
    CopyLink: "Copy link", "复制链接";
    LinkFits: "{0} characters, fits every chat app", "{0} 个字符，任何聊天软件都能发";
    LinkLong: "{0} characters: some chat apps cut links after 2,000. The scenario file is safer", "{0} 个字符：有的聊天软件会在 2,000 处截断，场景文件更稳妥";
    MakingLink: "Making the link …", "正在生成链接……";
    OpenPaused: "Open paused at this moment", "打开时停在这一刻";
    KeepSelection: "Keep the selected object and tab", "保留选中的对象和标签页";
    ScenarioFile: "Scenario file", "场景文件";
    EmbedCode: "Copy embed code", "复制嵌入代码";
    OpenInTabernetes: "Open in Tabernetes", "在 Tabernetes 中打开";

    GoTo: "Go to a kind or an object", "转到类型或对象";
    GoHint: "pod web, svc redis, node-2 …", "pod web、svc redis、node-2……";
    NothingFound: "Nothing is called “{0}”", "没有名为“{0}”的对象";

    EmptyOne: "One node is waiting for work", "1 个节点在等待工作";
    EmptyMany: "{0} nodes are waiting for work", "{0} 个节点在等待工作";
    EmptyText: "Apply the manifest, type", "应用清单，输入";
    EmptyTextOr: "in the terminal, or drop files here.", "，或将文件拖放到这里。";

    CutShort: "This link is cut short", "这个链接不完整";
    CutShortText: "Ask for the link again, or for the scenario file.", "请对方重新发送链接或场景文件。";
    Corrupt: "This link cannot be read", "无法读取这个链接";
    CorruptText: "It may have been changed on its way. Ask for the link again, or for the scenario file.", "它可能在途中被改动。请对方重新发送链接或场景文件。";
    TooNew: "This scenario needs a newer Tabernetes", "这个场景需要更新版本的 Tabernetes";
    TooNewText: "Reload to get the new version. Your own work stays in this browser.", "重新加载以获取新版本。你的工作保存在此浏览器中。";
    Unreadable: "This file cannot be opened", "无法打开这个文件";
    UnreadableText: "A scenario file or Kubernetes manifests in YAML can be opened here.", "可以打开场景文件或 YAML 格式的 Kubernetes 清单。";
    Stopped: "The simulation stopped at {0}", "模拟在 {0} 停止";
    StoppedText: "This is a fault in Tabernetes, not in your YAML. The same seed will stop at the same place. Your manifests are kept in this browser.", "这是 Tabernetes 的故障，不是你的 YAML 的问题。同样的种子会停在同一处。你的清单保存在此浏览器中。";
    Reload: "Reload", "重新加载";
    StartDefault: "Start with an example", "从示例开始";
    BackToCluster: "Back to the cluster", "回到集群";
    BackToWork: "Go back to my work", "回到我的工作";
    DownloadManifests: "Download the manifests", "下载清单";
    HiddenBar: "Paused at {0}", "已在 {0} 暂停";
    HiddenWhile: "while this tab was hidden", "，因为标签页被隐藏";
    EditedBar: "The editor shows your own edits of this scenario.", "编辑器显示的是你对此场景的修改。";
    StartOver: "Start over", "重新开始";
    KeepEdits: "Keep", "保留";
    LinkBar: "You are looking at a link. Your own work is kept.", "你正在查看链接。你的工作已保留。";

    KeysTime: "Time", "时间";
    KeysMap: "Map and selection", "地图与选中对象";
    KeysPanes: "Panes", "面板";
    KeyRun: "run, pause", "运行，暂停";
    KeyStep: "step to the next event", "单步到下一事件";
    KeySpeed: "slower, faster", "减速，加速";
    KeyApply: "apply the manifest", "应用清单";
    KeyGo: "go to a kind or object", "转到类型或对象";
    KeyFilter: "filter what is shown", "过滤显示内容";
    KeyWhy: "why is the selection as it is", "选中对象为什么这样";
    KeyYaml: "YAML of the selection", "选中对象的 YAML";
    KeyEdit: "edit the selection", "编辑选中对象";
    KeyDescribe: "describe the selection", "描述选中对象";
    KeyLogs: "logs of the selection", "选中对象的日志";
    KeyShell: "shell in the selection", "进入选中对象的 Shell";
    KeyDelete: "delete the selection", "删除选中对象";
    KeyArrows: "move between tiles", "在方块间移动";
    KeyZoom: "zoom, fit (map has the focus)", "缩放，适应（地图获得焦点时）";
    KeyPanes: "editor, inspector, terminal", "编辑器，检查器，终端";
    KeyClose: "close, deselect", "关闭，取消选中";
    KeyHelp: "this list", "本列表";

    ResizeEditor: "Width of the editor", "编辑器宽度";
    ResizeInspector: "Width of the inspector", "检查器宽度";
    ResizeDock: "Height of the terminal", "终端高度";
}
