# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in the language of the system.

Recorded in Japanese: reasons, captions and states are translated, names and codes are not. The translations here are
our own, sentence by sentence; what they lack, and every other language, gets a stand-in that is not English either.
Who matches texts finds out here.
"""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[^.]+(?:\.(?!\s)[^.]*)*\.?\s*")
_FOREIGN = str.maketrans("aceinouyACEINOUY", "äçéîñöüýÄÇÉÎÑÖÜÝ")
_TRANSLATIONS = {
    "de": {
        "Access is denied.": "Zugriff verweigert.",
        "Change the filter and try the request again.": "Ändern Sie den Filter, und wiederholen Sie die Anforderung.",
        "Change the XML and retry.": "Ändern Sie das XML, und versuchen Sie es noch einmal.",
        "Close existing shells or raise the quota for this user.": (
            "Schließen Sie offene Shells, oder erhöhen Sie das Kontingent des Benutzers."
        ),
        "The data source could not process the filter.": "Die Datenquelle konnte den Filter nicht verarbeiten.",
        "The filter might be missing or it might be invalid.": "Der Filter fehlt, oder er ist ungültig.",
        "The parameter is incorrect.": "Der Parameter ist falsch.",
        "The service cannot find the resource identified by the resource URI and selectors.": (
            "Der Dienst findet die Ressource nicht, die der URI und die Selektoren bezeichnen."
        ),
        "The SOAP XML in the message does not match the corresponding XML schema definition.": (
            "Das SOAP-XML der Nachricht passt nicht zu seinem XML-Schema."
        ),
        "The specified class does not exist in the given namespace.": (
            "Die angegebene Klasse ist im Namespace nicht vorhanden."
        ),
        "The system cannot find the file specified.": "Das System findet die angegebene Datei nicht.",
        "The WMI service or provider could not find the object.": (
            "Der WMI-Dienst oder der Anbieter hat das Objekt nicht gefunden."
        ),
        "The WMI service returned an 'access denied' error.": (
            'Der WMI-Dienst hat den Fehler "Zugriff verweigert" gemeldet.'
        ),
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.": (
            "Der WS-Verwaltungsdienst kann den Vorgang nicht in der Zeit beenden, die OperationTimeout nennt."
        ),
        "The WS-Management service cannot process the request.": (
            "Der WS-Verwaltungsdienst kann die Anforderung nicht verarbeiten."
        ),
        "The WS-Management service cannot process the request because the request contained invalid selectors for the "
        "resource.": (
            "Der WS-Verwaltungsdienst kann die Anforderung nicht verarbeiten, weil ihre Selektoren für die Ressource "
            "ungültig sind."
        ),
    },
    "ja": {
        "Access is denied.": "アクセスは拒否されました。",
        "Change the filter and try the request again.": "フィルターを変えて、もう一度要求してください。",
        "Change the XML and retry.": "XML を変えて、やり直してください。",
        "Close existing shells or raise the quota for this user.": (
            "開いているシェルを閉じるか、このユーザーのクォータを増やしてください。"
        ),
        "The data source could not process the filter.": "データ ソースはフィルターを処理できませんでした。",
        "The filter might be missing or it might be invalid.": "フィルターがないか、または無効です。",
        "The parameter is incorrect.": "パラメーターが正しくありません。",
        "The service cannot find the resource identified by the resource URI and selectors.": (
            "リソース URI とセレクターが示すリソースが、サービスに見つかりません。"
        ),
        "The SOAP XML in the message does not match the corresponding XML schema definition.": (
            "メッセージの SOAP XML が XML スキーマの定義と合いません。"
        ),
        "The specified class does not exist in the given namespace.": (
            "指定されたクラスは、この名前空間に存在しません。"
        ),
        "The system cannot find the file specified.": "指定されたファイルが見つかりません。",
        "The WMI service or provider could not find the object.": (
            "WMI サービスまたはプロバイダーはオブジェクトを見つけられませんでした。"
        ),
        "The WMI service returned an 'access denied' error.": "WMI サービスから「アクセス拒否」が返されました。",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.": (
            "WS-Management サービスは、OperationTimeout の時間内に操作を終えられません。"
        ),
        "The WS-Management service cannot process the request.": "WS-Management サービスは要求を処理できません。",
        "The WS-Management service cannot process the request because the request contained invalid selectors for the "
        "resource.": "リソースに対して無効なセレクターが要求にあるため、WS-Management サービスは処理できません。",
    },
}


def localised(text: str, language: str) -> str:
    if language.lower().startswith("en"):
        return text
    known = _TRANSLATIONS.get(language.partition("-")[0].lower(), {})

    def translated(match: re.Match[str]) -> str:
        sentence = match[0].rstrip()
        return known.get(sentence, sentence.translate(_FOREIGN)) + match[0][len(sentence) :]

    return _SENTENCE.sub(translated, text)
