"""Works that cards of data sets cite, and cards of models beside them alike."""

from __future__ import annotations

from logbench import Work

XU = Work(
    key="xu2009detecting",
    author=(
        "Xu, Wei",
        "Huang, Ling",
        "Fox, Armando",
        "Patterson, David",
        "Jordan, Michael I.",
    ),
    title="Detecting Large-Scale System Problems by Mining Console Logs",
    year=2009,
    venue="ACM Symposium on Operating Systems Principles (SOSP)",
    pages="117-132",
    doi="10.1145/1629575.1629587",
)

LOGHUB = Work(
    key="zhu2023loghub",
    author=(
        "Zhu, Jieming",
        "He, Shilin",
        "He, Pinjia",
        "Liu, Jinyang",
        "Lyu, Michael R.",
    ),
    title="Loghub: A Large Collection of System Log Datasets for AI-driven Log Analytics",
    year=2023,
    venue="IEEE International Symposium on Software Reliability Engineering (ISSRE)",
    pages="355-366",
    url="https://arxiv.org/abs/2008.06448",
)

OLINER = Work(
    key="oliner2007supercomputers",
    author=(
        "Oliner, Adam",
        "Stearley, Jon",
    ),
    title="What Supercomputers Say: A Study of Five System Logs",
    year=2007,
    venue="IEEE/IFIP International Conference on Dependable Systems and Networks (DSN)",
    pages="575-584",
    doi="10.1109/DSN.2007.103",
)

LIN = Work(
    key="lin2016log",
    author=(
        "Lin, Qingwei",
        "Zhang, Hongyu",
        "Lou, Jian-Guang",
        "Zhang, Yu",
        "Chen, Xuewei",
    ),
    title="Log Clustering Based Problem Identification for Online Service Systems",
    year=2016,
    venue="International Conference on Software Engineering Companion (ICSE-C)",
    pages="102-111",
    doi="10.1145/2889160.2889232",
)

DU = Work(
    key="du2017deeplog",
    author=(
        "Du, Min",
        "Li, Feifei",
        "Zheng, Guineng",
        "Srikumar, Vivek",
    ),
    title="DeepLog: Anomaly Detection and Diagnosis from System Logs through Deep Learning",
    year=2017,
    venue="ACM SIGSAC Conference on Computer and Communications Security (CCS)",
    pages="1285-1298",
    doi="10.1145/3133956.3134015",
)

LANDAUER = Work(
    key="landauer2024critical",
    kind="article",
    author=(
        "Landauer, Max",
        "Skopik, Florian",
        "Wurzenberger, Markus",
    ),
    title="A Critical Review of Common Log Data Sets Used for Evaluation of Sequence-Based Anomaly Detection "
    "Techniques",
    year=2024,
    venue="Proceedings of the ACM on Software Engineering 1 (FSE)",
    pages="1354-1375",
    doi="10.1145/3660768",
)

CHEN = Work(
    key="chen2021experience",
    kind="other",
    author=(
        "Chen, Zhuangbin",
        "Liu, Jinyang",
        "Gu, Wenwei",
        "Su, Yuxin",
        "Lyu, Michael R.",
    ),
    title="Experience Report: Deep Learning-based System Log Analysis for Anomaly Detection",
    year=2021,
    venue="arXiv 2107.05908",
    url="https://arxiv.org/abs/2107.05908",
)

MULTILOG = Work(
    key="zhang2024multivariate",
    kind="other",
    author=(
        "Zhang, Lingzhe",
        "others",
    ),
    title="Multivariate Log-based Anomaly Detection for Distributed Database",
    year=2024,
    venue="arXiv 2406.07976",
    url="https://arxiv.org/abs/2406.07976",
)

NEZHA = Work(
    key="yu2023nezha",
    author=(
        "Yu, Guangba",
        "Chen, Pengfei",
        "Li, Yufeng",
        "Chen, Hongyang",
        "Li, Xiaoyun",
        "Zheng, Zibin",
    ),
    title="Nezha: Interpretable Fine-Grained Root Causes Analysis for Microservices on Multi-modal Observability "
    "Data",
    year=2023,
    venue="Foundations of Software Engineering (ESEC/FSE)",
    pages="553-565",
    doi="10.1145/3611643.3616249",
)

CREECH = Work(
    key="creech2013generation",
    author=(
        "Creech, Gideon",
        "Hu, Jiankun",
    ),
    title="Generation of a New IDS Test Dataset: Time to Retire the KDD Collection",
    year=2013,
    venue="IEEE Wireless Communications and Networking Conference (WCNC)",
    pages="4487-4492",
    doi="10.1109/WCNC.2013.6555301",
)

LOGLEAD = Work(
    key="mantyla2024loglead",
    author=(
        "Mäntylä, Mika",
        "Wang, Yuqing",
        "Nyyssölä, Jesse",
    ),
    title="LogLead - Fast and Integrated Log Loader, Enhancer, and Anomaly Detector",
    year=2024,
    venue="IEEE International Conference on Software Analysis, Evolution and Reengineering (SANER)",
    pages="395-399",
    url="https://arxiv.org/abs/2311.11809",
)

AWSCTD = Work(
    key="awsctd",
    kind="data",
    title="AWSCTD: traces of Windows system calls",
    url="https://github.com/DjPasco/AWSCTD",
)

KALAKI = Work(
    key="kalaki2023openstack",
    kind="data",
    author=(
        "Kalaki, Parisa",
        "others",
    ),
    title="openstack-logs",
    year=2023,
    url="https://github.com/ParisaKalaki/openstack-logs",
)
